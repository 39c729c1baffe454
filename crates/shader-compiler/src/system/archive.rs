//! What a static library defines, read from its symbol table.

use std::fs;
use std::path::Path;

/// A symbol that a complete library defines: `glslang::InitializeProcess()`.
pub(super) const GLSLANG_SYMBOL: &[u8] = b"_ZN7glslang17InitializeProcessEv\0";

/// Whether the archive defines glslang's symbols. One that cannot be read counts as
/// complete: then the linker is the judge.
pub(super) fn defines_glslang(archive: &Path) -> bool {
    let Ok(bytes) = fs::read(archive) else {
        return true;
    };
    symbol_table(&bytes).is_none_or(|table| {
        table
            .windows(GLSLANG_SYMBOL.len())
            .any(|window| window == GLSLANG_SYMBOL)
    })
}

/// The symbol table of a GNU `ar` archive: its first member, named `/`, whose names
/// are those that the archive defines.
fn symbol_table(archive: &[u8]) -> Option<&[u8]> {
    const MAGIC: &[u8] = b"!<arch>\n";
    const HEADER_LEN: usize = 60;
    let member = archive.strip_prefix(MAGIC)?;
    let header = member.get(..HEADER_LEN)?;
    if !header.starts_with(b"/ ") && !header.starts_with(b"/SYM64/") {
        return None;
    }
    let size = std::str::from_utf8(&header[48..58]).ok()?.trim();
    let size: usize = size.parse().ok()?;
    member.get(HEADER_LEN..HEADER_LEN.checked_add(size)?)
}

/// An archive whose symbol table is `symbols`.
#[cfg(test)]
pub(super) fn fixture(symbols: &[u8]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    bytes.extend(format!("{:<48}{:<10}`\n", "/", symbols.len()).bytes());
    bytes.extend(symbols);
    // A later member that mentions the symbol does not define it.
    bytes.extend(GLSLANG_SYMBOL);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_symbol_table_says_what_is_defined() {
        assert_eq!(symbol_table(&fixture(b"abc\0")), Some(&b"abc\0"[..]));
        assert_eq!(symbol_table(b"no archive"), None);
        let mut truncated = fixture(b"abc\0");
        truncated.truncate(70);
        assert_eq!(symbol_table(&truncated), None);
    }
}
