# As Poetry makes it: without pip.
python3 -m venv --without-pip "$1"
cat >compiled.c <<'END'
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "compiled", "", -1, methods};
PyMODINIT_FUNC PyInit_compiled(void) { return PyModule_Create(&module); }
END
packages=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
cc -shared -fPIC $(python3-config --includes) -o "$packages/compiled$(python3-config --extension-suffix)" compiled.c
