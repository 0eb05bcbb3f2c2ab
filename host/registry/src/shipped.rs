//! The plugins that are part of this program. `cargo xtask plugins` builds them; a new one is one line here.

use crate::version::{Origin, Version};

const COMPONENTS: &[&[u8]] = &[];

pub(crate) fn versions() -> impl Iterator<Item = Version> {
    COMPONENTS.iter().map(|component| {
        Version::read(*component, Origin::Shipped)
            .expect("`cargo xtask plugins --check` holds for what is shipped")
    })
}
