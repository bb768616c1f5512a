"""Our Triton for CPUs as a Docker image: what is in it, and building it."""
