"""The clusters as a person sees them."""
