"""What is stated about an image, for people and for programs.

provenance      from what, how and where an image was built, in SLSA's form
results         all that is stated of an image that passed its gates
report          one report of a build, as a page and as data
report_data     the data of the report
package_groups  what the size of an image consists of
predicates      what the statements on a release must say
"""
