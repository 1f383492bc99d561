//! A plot of times over sizes, both on logarithmic axes, as an SVG in the classes
//! of the book's figures.

/// A line of the plot.
pub struct Line {
    /// What stands at its end.
    pub name: &'static str,
    /// Megabytes and microseconds.
    pub points: Vec<(f64, f64)>,
}

const LEFT: f64 = 60.0;
const RIGHT: f64 = 310.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 220.0;

/// Draws the lines; `name` is the figure's file name.
pub fn plot(name: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| &line.points);
    let x = Axis::around(all().map(|point| point.0), LEFT, RIGHT);
    let y = Axis::around(all().map(|point| point.1), BOTTOM, TOP);
    let mut svg = head(name, lines);
    for size in x.powers() {
        let at = x.place(size);
        svg += &format!("<path class=\"line\" d=\"M{at:.0} {BOTTOM}v5\"/>");
        svg += &text(at, BOTTOM + 20.0, "small middle", &thousands(size));
    }
    for time in y.powers() {
        let at = y.place(time);
        svg += &format!("<path class=\"line\" d=\"M{LEFT} {at:.0}h-5\"/>");
        svg += &text(LEFT - 8.0, at + 4.0, "small end", &thousands(time));
    }
    svg += &format!("<path class=\"line\" d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\"/>\n");
    svg += &text(4.0, TOP - 18.0, "small", "µs");
    svg += &text((LEFT + RIGHT) / 2.0, BOTTOM + 38.0, "small middle", "MB of the parent");
    for line in lines {
        let points = line.points.iter().map(|(size, time)| (x.place(*size), y.place(*time)));
        let path: Vec<String> = points.clone().map(|(x, y)| format!("{x:.0} {y:.0}")).collect();
        svg += &format!("<path class=\"flow\" d=\"M{}\"/>", path.join("L"));
        for (x, y) in points {
            svg += &format!("<circle class=\"head\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"4\"/>");
        }
        if let Some((size, time)) = line.points.last() {
            svg += &text(x.place(*size) + 10.0, y.place(*time) + 4.0, "", line.name);
        }
    }
    svg + "</svg>\n"
}

/// With the figures in words, for those who do not see the picture.
fn head(name: &str, lines: &[Line]) -> String {
    let say = |line: &Line| {
        let points = line.points.iter();
        let points =
            points.map(|(size, time)| format!("{} µs at {size} MB", thousands(time.round())));
        format!("{}: {}.", line.name, points.collect::<Vec<_>>().join(", "))
    };
    let description: Vec<String> = lines.iter().map(say).collect();
    format!(
        "<svg viewBox=\"0 -8 400 272\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"{name}-title\">Time to start and join a \
         process, by the memory of the parent</title>\n<desc id=\"{name}-desc\">{}</desc>\n",
        description.join(" ")
    )
}

/// A text at a place, in a class of the figures.
pub fn text(x: f64, y: f64, class: &str, text: &str) -> String {
    format!("<text x=\"{x:.0}\" y=\"{y:.0}\" class=\"{class}\">{text}</text>\n")
}

/// A logarithmic axis between two powers of ten.
pub struct Axis {
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

impl Axis {
    /// From the power of ten below all values to the one above.
    pub fn around(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let logarithms = values.map(f64::log10);
        let first = logarithms.clone().fold(f64::INFINITY, f64::min).floor() as i32;
        let last = logarithms.fold(f64::NEG_INFINITY, f64::max).ceil() as i32;
        Self { first, last: last.max(first + 1), from, to }
    }

    /// Where a value stands.
    pub fn place(&self, value: f64) -> f64 {
        let part = (value.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        self.from + part * (self.to - self.from)
    }

    /// The powers of ten on the axis.
    pub fn powers(&self) -> impl Iterator<Item = f64> {
        (self.first..=self.last).map(|power| 10f64.powi(power))
    }
}

/// `11,300`
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8_lossy(&groups.join(&b',')).into_owned()
}
