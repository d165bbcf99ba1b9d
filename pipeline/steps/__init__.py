"""The steps that images are made of.

step        what a step is
install     what an image adds to its parent, as data
hardening   what harden.sh does, with the rules that ask for it
"""
