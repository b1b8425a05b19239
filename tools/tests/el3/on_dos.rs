//! The image in QEMU with the model.
