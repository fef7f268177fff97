"""Any architecture as standalone Keras source code."""
