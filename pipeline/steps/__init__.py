"""The steps that build images.

step        what a step is
install     what an image adds to its parent, as a value
hardening   the functions of harden.sh, with the rules that demand them
"""
