//! Does each check exist that a page gives as its proof?

use anyhow::ensure;
use judge::checks;
use regex::Regex;

use super::Page;

/// What stands in parentheses and italics, `(*one*; *another*)`, is the name of a check.
pub fn proofs_are_checks(pages: &[Page]) -> anyhow::Result<()> {
    let (proof, name) = (Regex::new(r"\((\*[^*()]+\*(?:; )?)+\)")?, Regex::new(r"\*([^*]+)\*")?);
    let mut count = 0;
    for page in pages {
        for proof in proof.find_iter(&page.text) {
            for name in name.captures_iter(proof.as_str()) {
                count += 1;
                let is_check = checks::all().any(|check| check.name == &name[1]);
                ensure!(is_check, "{}: there is no check \"{}\"", page.file.display(), &name[1]);
            }
        }
    }
    ensure!(count > 0, "no page names the check that proves what it says");
    Ok(())
}
