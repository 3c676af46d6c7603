"""The words of an emulated model: a module for each kind of thing it is asked for."""
