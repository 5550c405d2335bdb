"""The process that a Jupyter front end starts as its kernel; the kernel itself runs on an executor."""
