//! The EPUB and the PDF can be opened, and hold what the pages hold.

use crate::site::{Link, between};
use crate::tests::book;
use crate::{epub, pdf, root};
use lopdf::{Dictionary, Document, Object};
use roxmltree::ParsingOptions;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::sync::OnceLock;
use zip::ZipArchive;

/// The pages' `main` elements, one after the other.
fn mains() -> String {
    let pages = book().site.pages.iter();
    let pages = pages.map(|page| fs::read_to_string(book().pages.join(&page.file)));
    let pages = pages.map(|page| page.expect("it was built"));
    pages.map(|page| between(&page, "<main", "</main>").unwrap_or("").to_string()).collect()
}

/// Each text of the EPUB, by its name.
fn texts() -> &'static BTreeMap<String, String> {
    static TEXTS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    TEXTS.get_or_init(read_texts)
}

fn read_texts() -> BTreeMap<String, String> {
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
            links += node.attribute("href").map_or(0, |link| check_link(name, link, texts));
        }
    }
    let mains = mains();
    assert_eq!(chapters, book().site.pages.len() + 1, "one page each, and the contents");
    assert_eq!(pictures, mains.matches("<svg").count());
    assert!(links >= mains.matches("<a ").count(), "{links} links");
}

/// Where a line leads, and what it says: a new device reads `nav.xhtml`, an old one `toc.ncx`.
#[test]
fn the_contents_of_the_epub_list_the_sections() {
    let texts = texts();
    let options = || ParsingOptions { allow_dtd: true, ..Default::default() };
    let page = |name: &str| roxmltree::Document::parse_with_options(&texts[name], options());
    let mut headings = Vec::new();
    for Link { file, name } in &book().site.pages {
        let file = file.replace(".html", ".xhtml");
        headings.push((file.clone(), name.clone()));
        let page = page(&file).expect("XML");
        let sections = page.descendants().filter(|node| node.has_tag_name("h2"));
        headings.extend(sections.map(|section| {
            let id = section.attribute("id").expect("an id");
            (format!("{file}#{id}"), text(section))
        }));
    }
    let nav = page("nav.xhtml").expect("XML");
    let lines = nav.descendants().filter(|node| node.has_tag_name("a"));
    let lines = lines.map(|a| (a.attribute("href").expect("a target").to_string(), text(a)));
    check_lines(lines.collect(), &headings);
    let ncx = page("toc.ncx").expect("XML");
    let lines = ncx.descendants().filter(|node| node.has_tag_name("navPoint"));
    let lines = lines.map(|point| {
        let child = |name| point.children().find(|node| node.has_tag_name(name)).expect(name);
        let to = child("content").attribute("src").expect("a target").to_string();
        (to, text(child("navLabel")))
    });
    check_lines(lines.collect(), &headings);
}

fn check_lines(lines: Vec<(String, String)>, headings: &[(String, String)]) {
    for (line, heading) in lines.iter().zip(headings) {
        assert_eq!(line, heading);
    }
    assert_eq!(lines.len(), headings.len());
}

fn text(node: roxmltree::Node<'_, '_>) -> String {
    let texts = node.descendants().filter_map(|node| node.text().filter(|_| node.is_text()));
    texts.collect::<String>().trim().to_string()
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
    check_contents(&pdf);
}

/// Two letters that a font draws as one.
const LIGATURES: &[(&str, &str)] = &[("ﬀ", "ff"), ("ﬁ", "fi"), ("ﬂ", "fl"), ("ﬃ", "ffi")];

/// The sheets before the first chapter name each chapter and section of the
/// outline with its sheet, and there it stands.
fn check_contents(pdf: &Document) {
    let outline = pdf.get_toc().expect("an outline").toc;
    let text = |sheet: usize| {
        let text = pdf.extract_text(&[sheet as u32]).expect("a text");
        let text = text.split_whitespace().collect::<String>();
        let text = text.strip_prefix(&sheet.to_string()).unwrap_or(&text); // at its foot
        LIGATURES.iter().fold(text.to_string(), |text, (one, two)| text.replace(one, two))
    };
    let contents: String = (1..outline[0].page).map(text).collect();
    let mut contents = contents.as_str();
    for line in outline.iter().filter(|line| line.level <= 2) {
        let (title, page) = (&line.title, line.page);
        let name: String = title.split_whitespace().collect();
        assert!(text(page).contains(&name), "sheet {page} does not hold “{title}”");
        let line = format!("{name}{page}");
        let rest = contents.strip_prefix(&line).filter(|rest| !rest.starts_with(char::is_numeric));
        contents = rest.unwrap_or_else(|| panic!("not “{title} {page}”: {contents:.60}…"));
    }
    assert_eq!(contents, "", "more lines than headings");
}
