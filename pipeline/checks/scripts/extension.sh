cat >probe.c <<'END'
#include <Python.h>
#include <ffi.h>
static int add(int a, int b) { return a + b; }
static PyObject *answer(PyObject *self, PyObject *none) {
    ffi_cif cif;
    ffi_type *types[] = {&ffi_type_sint, &ffi_type_sint};
    int a = 40, b = 2;
    ffi_arg result;
    void *values[] = {&a, &b};
    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 2, &ffi_type_sint, types) != FFI_OK) return NULL;
    ffi_call(&cif, FFI_FN(add), &result, values);
    return PyLong_FromLong((int)result);
}
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "probe", "", -1, methods};
PyMODINIT_FUNC PyInit_probe(void) { return PyModule_Create(&module); }
END
cc -shared -fPIC $(python3-config --includes) -o "probe$(python3-config --extension-suffix)" probe.c -lffi
fact "the module's answer" "42" "$(python3 -c 'import probe; print(probe.answer())')"
verdict "built with $(python3 --version)"
