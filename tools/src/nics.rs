//! The list of NICs, for the pack step, the rigs, the tests, the bench and the manual.

/// How a card is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// By its PCI identity.
    Pci,
    /// By ISA probing, in this order.
    Isa(u8),
    /// By its ROM, when no other driver takes it. It is the last of the list, where the search looks for it.
    Rom,
}

/// A driver and the cards that it drives.
#[derive(Clone, Copy, Debug)]
pub struct Nic {
    /// The driver's name: of its files, its units, its tests.
    pub name: &'static str,
    /// The cards, by the names that users know.
    pub cards: &'static str,
    /// How the card is found.
    pub found: Found,
    /// The card has rings in memory, and registers that ports reach. So it has another unit for V86 mode, with a `v` behind
    /// the name. (In V86 mode a card with registers in memory only is refused.)
    pub memory: bool,
    /// The card also works without rings, by the unit with the driver's name. The resident unit for rings in XMS, and the unit
    /// that starts the card with rings, have an `x` behind the name.
    pub plain: bool,
    /// QEMU devices for the tests: `-device`, without a network. With [`Nic::plugin`] they are models.
    pub devices: &'static [&'static str],
    /// The devices are in the plugin of tools/models.
    pub plugin: bool,
}

/// Whether a QEMU device (`-device`, with its properties) is in the plugin of tools/models.
pub fn is_model(device: &str) -> bool {
    let stem = device.split(',').next().unwrap_or_default();
    models::plugin::names().any(|model| model == stem)
}

/// Devices that share their code with another one of their driver's: INTEGRIT and FIELD LINK run on them by `--long` only. The
/// host tests (tools/tests/rtl8169, pch and tg3) try every chip.
pub const RELATIVES: [&str; 12] = [
    "rtl8169-8110s", "rtl8169-8169sc", "rtl8169-8101e", "rtl8169-8168evl", "rtl8169-8168f", "rtl8169-8168g", "rtl8169-8107e",
    "rtl8169-8125a", "pch-i218lm", "pch-i219lm7", "tg3-5787", "tg3-57780",
];

/// Drivers that are another instance of the source of the one before them. Without `--long`, FUZZ makes a tenth of its calls on
/// them, and CONFORM runs with XMS only.
pub const TWINS: [&str; 1] = ["rtl8125"];

/// Drivers whose line at load has the chip's name behind their own, and how these names begin.
const CHIPS: [(&str, &str); 5] = [("igb", "82576"), ("pch", ""), ("rtl8169", "RTL"), ("rtl8125", "RTL"), ("tg3", "BCM")];

impl Nic {
    /// How the line at load begins.
    pub fn line_at_load(&self) -> String {
        match CHIPS.iter().find(|(name, _)| *name == self.name) {
            Some((name, chip)) => format!("3COMPKT: {name}: {chip}"),
            None => format!("3COMPKT: {} at ", self.name),
        }
    }
}

/// All NICs: PCI first, then ISA in its order, then the one for cards with a ROM.
pub const NICS: &[Nic] = &[
    Nic {
        name: "ne2k_pci",
        cards: "RTL8029 and other NE2000s on PCI",
        found: Found::Pci,
        memory: false,
        plain: false,
        devices: &["ne2k_pci"],
        plugin: false,
    },
    Nic {
        name: "e1000",
        cards: "Intel 82540, 82544, 82545 (PRO/1000 on PCI)",
        found: Found::Pci,
        memory: true,
        plain: false,
        devices: &["e1000", "e1000-82544gc", "e1000-82545em"],
        plugin: false,
    },
    Nic {
        name: "e1000e",
        cards: "Intel 82574, 82583 (PRO/1000 on PCI Express)",
        found: Found::Pci,
        memory: true,
        plain: false,
        devices: &["e1000e"],
        plugin: false,
    },
    Nic {
        name: "igb",
        cards: "Intel 82575, 82576, 82580, I350, I354, I210, I211; I225, I226",
        found: Found::Pci,
        memory: true,
        plain: false,
        devices: &["igb"],
        plugin: false,
    },
    Nic {
        name: "pch",
        cards: "Intel 82577, 82578, 82579, I217, I218, I219 (in chipsets)",
        found: Found::Pci,
        memory: true,
        plain: false,
        // As for the rtl8169.
        devices: &[
            "pch-i217lm,negotiation=0", "pch-82577lm", "pch-82579lm", "pch-i218lm", "pch-i219lm2", "pch-i219lm7",
        ],
        plugin: true,
    },
    Nic {
        name: "pcnet",
        cards: "AMD PCnet-PCI (Am79C970 to 978), VirtualBox, VMware",
        found: Found::Pci,
        memory: true,
        plain: false,
        devices: &["pcnet"],
        plugin: false,
    },
    Nic {
        name: "rtl8139",
        cards: "RTL8139 and compatibles, RTL8100, RTL8101L",
        found: Found::Pci,
        memory: true,
        plain: false,
        devices: &["rtl8139"],
        plugin: false,
    },
    Nic {
        name: "rtl8169",
        cards: "RTL8169, 8110, 8168, 8111, 8411, 8101E to 8107E, Killer E2500, E2600",
        found: Found::Pci,
        memory: true,
        plain: false,
        // The first card has negotiated before the driver comes, as most have since the machine was switched on; the others begin
        // when the machine does.
        devices: &[
            "rtl8169-8168h,negotiation=0", "rtl8169-8110s", "rtl8169-8169sb", "rtl8169-8169sc", "rtl8169-8101e", "rtl8169-8168b",
            "rtl8169-8168c", "rtl8169-8168evl", "rtl8169-8168f", "rtl8169-8168g", "rtl8169-8107e",
        ],
        plugin: true,
    },
    Nic {
        name: "rtl8125",
        cards: "RTL8125, Killer E3000 (2.5 gigabit)",
        found: Found::Pci,
        memory: true,
        plain: false,
        devices: &["rtl8169-8125b,negotiation=0", "rtl8169-8125a", "rtl8169-8125d"],
        plugin: true,
    },
    Nic {
        name: "tg3",
        cards: "Broadcom BCM5705 and later: 5721, 5751, 5754, 5755, 5761, 5787, 5906, 5717 to 5720, 577xx",
        found: Found::Pci,
        memory: true,
        plain: false,
        // As for the cards of rtl8169: the first has negotiated before the driver comes.
        devices: &["tg3-5751,negotiation=0", "tg3-5787", "tg3-5906", "tg3-57780", "tg3-57765", "tg3-5720", "tg3-5788"],
        plugin: true,
    },
    Nic {
        name: "virtio_net",
        cards: "virtio network cards of QEMU and KVM",
        found: Found::Pci,
        memory: true,
        plain: false,
        devices: &["virtio-net-pci", "virtio-net-pci,disable-legacy=on", "virtio-net-pci,disable-modern=on"],
        plugin: false,
    },
    Nic {
        name: "vmxnet3",
        cards: "VMware vmxnet3",
        found: Found::Pci,
        memory: false,
        plain: false,
        devices: &["vmxnet3"],
        plugin: false,
    },
    Nic {
        name: "i8255x",
        cards: "Intel 82557, 82558, 82559, 82550, 82551, 82562 (PRO/100)",
        found: Found::Pci,
        memory: true,
        plain: false,
        devices: &[
            "i82551", "i82550", "i82557a", "i82557b", "i82557c", "i82558a", "i82558b", "i82559a", "i82559b", "i82559c", "i82559er",
            "i82562", "i82801",
        ],
        plugin: false,
    },
    Nic {
        name: "tulip",
        cards: "DEC and Intel 21142, 21143 (Tulip)",
        found: Found::Pci,
        memory: true,
        plain: false,
        devices: &["tulip"],
        plugin: false,
    },
    Nic {
        name: "vortex",
        cards: "3Com 3C590, 3C595 (EtherLink III on PCI)",
        found: Found::Pci,
        memory: false,
        plain: false,
        devices: &["vortex-3c590", "vortex-3c595"],
        plugin: true,
    },
    Nic {
        name: "boomerang",
        cards: "3Com 3C900, 3C905, their B and C (EtherLink XL)",
        found: Found::Pci,
        memory: true,
        plain: false,
        devices: &["boomerang-3c900", "boomerang-3c905", "cyclone-3c905b", "tornado-3c905c"],
        plugin: true,
    },
    Nic {
        name: "el3",
        cards: "3Com 3C509 and 3C509B (EtherLink III, ISA)",
        found: Found::Isa(1),
        memory: false,
        plain: false,
        devices: &["el3,iobase=0x300,irq=10"],
        plugin: true,
    },
    Nic {
        name: "corkscrew",
        cards: "3Com 3C515-TX (Fast EtherLink, ISA)",
        found: Found::Isa(2),
        memory: true,
        plain: true,
        devices: &["corkscrew"],
        plugin: true,
    },
    Nic {
        name: "ne2000",
        cards: "NE2000 and compatibles, 16 bit",
        found: Found::Isa(9),
        memory: false,
        plain: false,
        devices: &["ne2k_isa,iobase=0x300,irq=10"],
        plugin: false,
    },
    Nic {
        name: "ne1000",
        cards: "NE1000 and NE2000 compatibles in an 8-bit slot",
        found: Found::Isa(10),
        memory: false,
        plain: false,
        devices: &[],
        plugin: false,
    },
    Nic {
        name: "undi",
        cards: "any PCI card whose ROM (PXE) has UNDI, by that ROM",
        found: Found::Rom,
        memory: false,
        plain: false,
        // tools/src/suite/undi.rs has its tests.
        devices: &[],
        plugin: false,
    },
];
