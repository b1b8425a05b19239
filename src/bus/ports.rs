//! The part of [`super::Bus`] that is the same for every bus of the machine: ports, configuration, the clock.

/// Makes methods that call the same method of [`super::real::Machine`].
macro_rules! pass {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => { $(
        #[inline(always)]
        fn $name(&self, $($argument: $type),*) $(-> $result)? {
            $crate::bus::real::Machine.$name($($argument),*)
        }
    )* };
}

/// The methods of [`super::Bus`] that are the same as those of [`super::real::Machine`].
macro_rules! as_machine {
    () => {
        $crate::bus::ports::pass! {
            in8(port: u16) -> u8;
            in16(port: u16) -> u16;
            in32(port: u16) -> u32;
            out8(port: u16, value: u8);
            out16(port: u16, value: u16);
            out32(port: u16, value: u32);
            ins(port: u16, job: &Job);
            ins8(port: u16, job: &Job);
            ins_fifo(port: u16, job: &Job);
            outs(port: u16, job: &Job);
            outs8(port: u16, job: &Job);
            outs_fifo(port: u16, job: &Job);
            ins32_own(port: u16, to: &mut [u8]);
            ins_own(port: u16, to: &mut [u8]);
            ins8_own(port: u16, to: &mut [u8]);
            config_read(place: u16, register: u8) -> u32;
            config_write(place: u16, register: u8, value: u32);
            far_of(bytes: *const u8) -> Far;
            clock() -> u16;
        }
    };
}

pub(crate) use {as_machine, pass};
