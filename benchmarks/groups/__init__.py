"""What is measured; each module has one `measure(bench)` that yields results."""
