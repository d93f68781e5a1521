"""One module per artefact format: each turns a `HandoutView` or the models into bytes."""
