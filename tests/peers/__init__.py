"""Private instances of real peers on free loopback ports, in temporary folders; a fixture skips where one is absent."""
