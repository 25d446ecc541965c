"""What the doctor looks at, one module a thing; each repairs only where it is told to."""
