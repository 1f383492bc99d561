//! The EPUB and the PDF can be opened, and hold what the pages hold.

use crate::site::between;
use crate::tests::book;
use crate::{epub, pdf, root};
use lopdf::{Dictionary, Document, Object};
use roxmltree::ParsingOptions;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use zip::ZipArchive;

/// The pages' `main` elements, one after the other.
fn mains() -> String {
    let pages = book().site.pages.iter();
    let pages = pages.map(|page| fs::read_to_string(book().pages.join(&page.file)));
    let pages = pages.map(|page| page.expect("it was built"));
    pages.map(|page| between(&page, "<main", "</main>").unwrap_or("").to_string()).collect()
}

/// Each text of the EPUB, by its name.
fn texts() -> BTreeMap<String, String> {
    let file = epub::write(&root(), &book().pages, &book().site).expect("it can be written");
    let file = BufReader::new(File::open(file).expect("it was written"));
    let mut archive = ZipArchive::new(file).expect("an archive");
    let mut texts = BTreeMap::new();
    for n in 0..archive.len() {
        let mut file = archive.by_index(n).expect("a file");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("a text");
        texts.insert(file.name().replace("OEBPS/", ""), text);
    }
    texts
}

#[test]
fn the_epub_holds_chapters_pictures_and_links() {
    let texts = texts();
    let (mut chapters, mut pictures, mut links) = (0, 0, 0);
    for (name, text) in texts.iter().filter(|(name, _)| name.ends_with("html")) {
        let options = ParsingOptions { allow_dtd: true, ..Default::default() };
        let page = roxmltree::Document::parse_with_options(text, options);
        let page = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        chapters += page.descendants().filter(|node| node.has_tag_name("h1")).count();
        for node in page.descendants() {
            if let Some(picture) = node.attribute("src") {
                let svg = texts.get(picture).unwrap_or_else(|| panic!("{name}: no {picture}"));
                roxmltree::Document::parse(svg).unwrap_or_else(|e| panic!("{picture}: {e}"));
                pictures += 1;
            }
            links += node.attribute("href").map_or(0, |link| check_link(name, link, &texts));
        }
    }
    let mains = mains();
    assert_eq!(chapters, book().site.pages.len() + 1, "one page each, and the contents");
    assert_eq!(pictures, mains.matches("<svg").count());
    assert!(links >= mains.matches("<a ").count(), "{links} links");
}

/// A link within the EPUB leads to a file and an id that are there.
fn check_link(page: &str, link: &str, texts: &BTreeMap<String, String>) -> usize {
    let (file, id) = link.split_once('#').unwrap_or((link, ""));
    if !link.contains("://") {
        let text = texts.get(if file.is_empty() { page } else { file });
        let text = text.unwrap_or_else(|| panic!("{page}: dead link {link}"));
        assert!(text.contains(&format!("id=\"{id}\"")) || id.is_empty(), "{page}: {link}");
    }
    1
}

#[test]
fn the_pdf_holds_chapters_pictures_and_links() {
    let file = match pdf::write(&book().pages) {
        Err(missing) if missing.to_string().contains("there is none here") => {
            return println!("skipped: {missing}");
        }
        file => file.expect("it can be printed"),
    };
    let pdf = Document::load(file).expect("a PDF");
    let all = || pdf.objects.values().filter_map(|object| object.as_dict().ok());
    let named =
        |d: &&Dictionary, key: &[u8]| d.get(key).and_then(Object::as_name).ok().map(<[u8]>::to_vec);
    // A picture has a text that says what it shows; the frame around it has none.
    let pictures = all().filter(|d| named(d, b"S") == Some(b"Figure".to_vec()) && d.has(b"Alt"));
    let links = all().filter(|d| named(d, b"Subtype") == Some(b"Link".to_vec()));
    let chapters = pdf.get_toc().expect("an outline").toc;
    let chapters = chapters.iter().filter(|line| line.level == 1).count();
    let mains = mains();
    assert_eq!(chapters, book().site.pages.len());
    assert_eq!(pictures.count(), mains.matches("role=\"img\"").count());
    assert!(links.count() >= mains.matches("<a href").count());
}
