"""What a library knows of its images: crops, capture, deployment, frames and thumbnails."""
