//! The resident half of each NIC's driver. The discarded half, which finds and starts the NIC, is in `probe/` under the same
//! name.

pub mod boomerang;
pub mod corkscrew;
pub mod dp8390;
pub mod e1000;
pub mod e1000e;
pub mod el3;
pub mod i8255x;
pub mod igb;
pub mod intel_rings;
pub mod mii;
pub mod ne2000;
pub mod ne2k_pci;
pub mod pch;
pub mod pcnet;
pub mod rtl8139;
pub mod rtl8169;
pub mod staging;
pub mod tg3;
pub mod tulip;
pub mod undi;
pub mod virtio;
pub mod virtio_net;
pub mod vmxnet3;
pub mod vortex;
