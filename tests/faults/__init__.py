"""What must hold when something breaks, one named test for each kind of breakage."""
