"""What `make bench` measures. Figures, not tests: nothing here fails because it was slow.

A machine is noisy, so where two ways are compared, both are measured in the same run and their
ratio is told.
"""
