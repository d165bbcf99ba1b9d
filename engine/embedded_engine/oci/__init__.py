"""OCI's formats: layers, documents, archives and registries.

layer      a layer written as a tar in one pass
tarheader  the headers of its entries
blob       a compressed blob with its two digests
holes      sparse files
documents  configurations, manifests and indexes
archive    an OCI layout in a tar file
layout     an OCI layout, read and verified
unpack     a layer applied to a directory
tarstream  a layer's tar, read forwards only
tarentry   what one entry of an untrusted tar may hold
skopeo     images from and to registries
entries    what of a directory becomes an entry of its layer
below      what the layers below a layer show
platforms  one name for each platform
"""
