//! What a page says of itself and of its neighbours: title and description for
//! search engines and previews, the next chapter by name, the contents on paper.

use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use std::fmt::Write;

/// What the pages know of the book as a whole.
#[derive(Clone)]
pub struct Site {
    pub title: String,
    /// Where the book is published, if `site-url` says it in full.
    pub address: Option<String>,
    /// The folder below which the pages are served.
    pub folder: String,
    pub pages: Vec<Link>,
}

/// A page and the name of its chapter.
#[derive(Clone)]
pub struct Link {
    pub file: String,
    pub name: String,
}

impl Site {
    pub fn of(book: &MDBook) -> Self {
        let html = book.config.html_config().unwrap_or_default();
        let folder = html.site_url.unwrap_or("/".to_string());
        let address = folder.starts_with("http").then(|| folder.clone());
        let title = book.config.book.title.clone().unwrap_or_default();
        let pages = book.iter().filter_map(|item| match item {
            BookItem::Chapter(chapter) => {
                let file = chapter.path.as_ref()?.with_extension("html").display().to_string();
                Some(Link { file, name: chapter.name.clone() })
            }
            _ => None,
        });
        Self { title, address, folder, pages: pages.collect() }
    }

    /// Finishes a page that mdBook has written.
    pub fn finish(&self, file: &str, html: &str) -> String {
        let title = between(html, "<title>", "</title>").unwrap_or("");
        let twice = format!("{0} - {0}", self.title);
        let html = match title == twice {
            true => html.replacen(title, &self.title, 1),
            false => html.to_string(),
        };
        let html = self.describe(file, &html);
        match file {
            "print.html" => html.replacen("<h1 id=", &(contents(&html) + "<h1 id="), 1),
            _ => html.replacen("</main>", &(self.foot(file) + "</main>"), 1),
        }
    }

    fn describe(&self, file: &str, html: &str) -> String {
        let title = between(html, "<title>", "</title>").unwrap_or("");
        let main = html.split("<main").nth(1).unwrap_or("");
        let text = plain(between(main, "<p>", "</p>").unwrap_or(""));
        let mut head = format!("<meta name=\"description\" content=\"{text}\">");
        for (property, content) in [("title", title), ("description", &text), ("type", "article")] {
            let _ = write!(head, "\n<meta property=\"og:{property}\" content=\"{content}\">");
        }
        let _ = write!(head, "\n<meta property=\"og:site_name\" content=\"{}\">", self.title);
        if let Some(address) = &self.address {
            let _ = write!(head, "\n<meta property=\"og:url\" content=\"{address}{file}\">");
        }
        match html.find("<meta name=\"description\"").zip(html.find("<meta name=\"viewport\"")) {
            Some((from, to)) => format!("{}{head}\n{}", &html[..from], &html[to..]),
            None => html.to_string(),
        }
    }

    /// The next chapter by its name; on the front page the version and the licence.
    fn foot(&self, file: &str) -> String {
        let mut pages = self.pages.iter().skip_while(|page| page.file != file).skip(1);
        let next = pages.next().map(|Link { file, name }| {
            let name = name.replace('&', "&amp;");
            format!("<p class=\"next\"><a rel=\"next\" href=\"{file}\">Next: {name}</a></p>\n")
        });
        let version = match file {
            "index.html" => format!(
                "<p class=\"version\">Version {}. Licence: {}, as you like.</p>\n",
                env!("CARGO_PKG_VERSION"),
                env!("CARGO_PKG_LICENSE").replace("OR", "or")
            ),
            _ => String::new(),
        };
        version + &next.unwrap_or_default()
    }

    /// The addresses of all pages, for search engines.
    pub fn map(&self) -> Option<String> {
        let address = self.address.as_ref()?;
        let urls = self.pages.iter();
        let urls: String =
            urls.map(|page| format!("<url><loc>{address}{}</loc></url>\n", page.file)).collect();
        Some(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n{urls}</urlset>\n"
        ))
    }
}

/// In a line of the contents, for the number of a sheet (`pdf`).
pub const PLACE: &str = "<span class=\"sheet\"></span>";

/// The chapters and their sections, linked. Paper has no sidebar.
fn contents(html: &str) -> String {
    let mut list = String::new();
    for Heading { is_chapter, id, name } in headings(html) {
        let class = if is_chapter { "chapter-line" } else { "section-line" };
        let _ = writeln!(list, "<li class=\"{class}\"><a href=\"#{id}\">{name}</a>{PLACE}</li>");
    }
    format!("<nav class=\"contents\" aria-label=\"Contents\">\n<ul>\n{list}</ul>\n</nav>\n")
}

/// What the contents of an edition list: a chapter or a section of one.
pub struct Heading<'a> {
    pub is_chapter: bool,
    pub id: &'a str,
    pub name: &'a str,
}

/// The chapters and sections of a page, in their order.
pub fn headings(html: &str) -> Vec<Heading<'_>> {
    let parts = html.split("<main").nth(1).unwrap_or("").split("<h").skip(1);
    let headings = parts.filter_map(|part| {
        let is_chapter = part.starts_with('1');
        let id = between(part, " id=\"", "\"")?;
        let (_, name) = between(part, "class=\"header\" href=\"", "</a>")?.split_once('>')?;
        (is_chapter || part.starts_with('2')).then_some(Heading { is_chapter, id, name })
    });
    headings.collect()
}

/// A text without its tags, about as long as a search engine shows.
fn plain(html: &str) -> String {
    let text: String =
        html.split('<').map(|part| part.split_once('>').map_or(part, |p| p.1)).collect();
    let text = text.replace('"', "&quot;");
    let mut kept = String::new();
    for sentence in text.split_inclusive(". ") {
        if !kept.is_empty() && kept.len() + sentence.len() > 200 {
            break;
        }
        kept += sentence;
    }
    kept.trim().to_string()
}

/// What stands between the first `start` and the next `end`.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}
