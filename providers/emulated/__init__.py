"""How each provider answers by itself, in its own exact shapes: what an upstream called `emulated` leads to."""
