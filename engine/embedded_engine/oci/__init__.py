"""OCI's formats: layers, documents, archives and registries.

layer      writes a layer as a tar in one pass
tarheader  the headers of tar entries
blob       writes a compressed blob with its two digests
holes      sparse files
documents  configurations, manifests and indexes
archive    writes an OCI layout in a tar file
layout     reads and verifies an OCI layout
unpack     applies a layer to a directory
tarstream  reads a layer's tar as a stream
tarentry   limits on an entry of an untrusted tar
skopeo     images from registries and archives
entries    selects the entries of a layer
below      the files that the layers below a layer show
platforms  normalizes the names of platforms
"""
