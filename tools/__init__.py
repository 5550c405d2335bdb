"""What makes files of this repository: the tutorial's outputs and the generated pages."""
