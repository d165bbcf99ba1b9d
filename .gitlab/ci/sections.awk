# Prints a changelog with the newest sections of another one that it lacks, above the first section that both have.
# Where they have none in common, that is the other's first section, above all others.
#   awk -f sections.awk CHANGELOG.md ANOTHER.md CHANGELOG.md
FNR == 1 { reading++ }
reading == 1 {
    if (/^## \[/) known[$2] = 1
    next
}
reading == 2 {
    if (/^## \[/) {
        headings++
        if ($2 in known && !place) place = $2
    }
    if (headings == 1) first = first $0 "\n"
    if (headings && !place) lacking = lacking $0 "\n"
    next
}
/^## \[/ && !done && (!place || $2 == place) {
    printf "%s", place ? lacking : first
    done = 1
}
{ print }
