"""What a library knows of its images: capture, deployments, crops, truth and thumbnails."""
