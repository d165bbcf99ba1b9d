"""Statements and reports about images, for people and for programs.

provenance      SLSA provenance: how, where and from what an image was built
results         all statements about an image that passed its gates
report          the report of a build, as a page and as data
report_data     the data of the report
package_groups  an image's size by groups of packages
predicates      verifies the statements about a release
"""
