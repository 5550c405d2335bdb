"""The executor's side: kernels as processes of the operating system, and the processes that carry them."""
