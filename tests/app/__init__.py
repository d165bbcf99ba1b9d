"""Applications that build-app makes, on the images of this run."""
