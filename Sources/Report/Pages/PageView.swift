/// What the template of a page sees. Names are those of the template; an empty list or `nil`
/// leaves its part out.
struct PageView {
    var kind: String
    var title: String
    var subtitle: String?
    var warnings: [String]
    var findings: [String]
    var sections: [Section]
    var facts: [Fact]
    var recipe: [RecipeLine]
    var style = ""
    /// The heading of the findings.
    var answer = "Findings"
    var warned: Bool
    var found: Bool
    var stated: Bool
    var cooked: Bool
    /// Whether facts and recipe open only when asked for.
    var folded: Bool

    struct Section {
        var heading: String
        /// The class of the box: `stack` under one another, `grid` side by side where it fits.
        var layout: String
        /// Whether it opens only when asked for.
        var folded = false
        /// Sentences under the heading.
        var lines: [String] = []
        var contents: [Content]

        init(
            heading: String, layout: String, folded: Bool = false, tables: [Table] = [],
            figures: [Drawn] = []
        ) {
            (self.heading, self.layout, self.folded) = (heading, layout, folded)
            contents = tables.map { Content(table: $0) } + figures.map { Content(figure: $0) }
        }
    }

    /// One of them.
    struct Content {
        var gallery: Shots?
        var table: Table?
        var figure: Drawn?
    }

    struct Drawn {
        var title: String
        var drawing: String
        /// The same for a phone's width; nil where it would be the same.
        var narrow: String?
        var wide: Bool
        var note: String?

        init(_ figure: some Figure, note: String?) {
            title = figure.title
            wide = figure.isWide
            drawing = figure.inlineSVG()
            narrow = figure.fitsNarrow ? figure.inlineSVG(room: 322) : nil
            self.note = note
        }
    }

    /// A gallery.
    struct Shots {
        var title: String?
        var items: [Shot]
        /// Whether cards are as broad as texts need.
        var broad: Bool
        var wide: Bool
        var note: String?

        init(_ gallery: Gallery) {
            title = gallery.title.isEmpty ? nil : gallery.title
            items = gallery.items.map(Shot.init)
            wide = gallery.isWide
            broad = gallery.items.contains { $0.text != nil }
            note = gallery.note
        }
    }

    struct Shot {
        struct Picture {
            var source: String
            var width: Int
            var height: Int
            /// For those who do not see it.
            var alt: String
        }

        var picture: Picture?
        var text: String?
        var name: String
        var value: String?
        var before: String
        var after: String?
        var notes: [String]

        init(_ item: Gallery.Item) {
            picture = item.picture.map { picture in
                let small = picture.fitted()
                return Picture(
                    source: small.source, width: small.width * small.scale,
                    height: small.height * small.scale, alt: item.name)
            }
            (text, name, before) = (item.text, item.name, item.before)
            (value, after, notes) = (item.value, item.after, item.notes)
        }
    }

    struct Cell {
        var text: String
        var right: Bool
        /// Whether its text is a sentence, which may break.
        var long: Bool
        /// Whether it is a name of some length, which may break between words.
        var name: Bool
        /// Whether it is a number with something in brackets, which may break on a phone.
        var breaks: Bool

        init(text: String, right: Bool) {
            (self.text, self.right) = (text, right)
            long = !right && text.count > 48
            name = !right && !long && text.count > 12
            breaks = right && text.contains(" (")
        }
    }

    struct Row {
        var cells: [Cell]
    }

    struct Table {
        var title: String?
        /// Names the scrolling region for screen readers.
        var label: String
        var head: [Cell]
        var rows: [Row]
        var note: String?

        init(_ model: TableModel) {
            let cells = model.cells { $0 }
            // Figure spaces are as wide as digits, so padded cells align in columns of digits.
            let columns = model.columns.indices.map { column in
                alignSigns(
                    cells.dropFirst().map { $0[column] }, sign: "±", padding: "\u{2007}")
            }
            let right = model.columns.map { $0.alignment == .trailing }
            title = model.title.isEmpty ? nil : model.title
            label = model.title.isEmpty ? "Table" : model.title
            head = zip(cells[0], right).map { Cell(text: $0, right: $1) }
            rows = cells.indices.dropFirst().map { i in
                Row(cells: zip(columns, right).map { Cell(text: $0[i - 1], right: $1) })
            }
            note = model.note
        }
    }

    init(
        kind: String, title: String, subtitle: String, warnings: [String], findings: [String],
        sections: [Section], facts: [Fact], recipe: String, folded: Bool = false
    ) {
        self.folded = folded
        self.kind = kind
        self.title = title
        self.subtitle = subtitle.isEmpty ? nil : subtitle
        self.warnings = warnings
        self.findings = findings
        self.sections = sections.filter { !$0.contents.isEmpty || !$0.lines.isEmpty }
        self.facts = facts
        self.recipe = recipe.isEmpty ? [] : RecipeLine.lines(of: recipe)
        warned = !warnings.isEmpty
        found = !findings.isEmpty
        stated = !facts.isEmpty
        cooked = !recipe.isEmpty
    }
}

/// One line of YAML, cut where the page changes colour. The parts together are the line.
struct RecipeLine: Equatable {
    /// Indentation and list dash.
    var lead: String
    /// The key with its colon.
    var key: String?
    var rest: String
    /// From `#` on.
    var comment: String?

    static func lines(of text: String) -> [RecipeLine] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        while lines.last == "" { lines.removeLast() }
        return lines.map { RecipeLine(String($0)) }
    }

    init(_ line: String) {
        var body = line[...]
        while let first = body.first, first == " " || first == "-" { body = body.dropFirst() }
        lead = String(line[..<body.startIndex])
        comment = nil
        if let hash = Self.commentStart(body) {
            comment = String(body[hash...])
            body = body[..<hash]
        }
        if let colon = body.firstIndex(of: ":"),
            body[..<colon].allSatisfy({ $0.isLetter || $0.isNumber || "_-.".contains($0) }),
            colon > body.startIndex,
            body.index(after: colon) == body.endIndex || body[body.index(after: colon)] == " "
        {
            key = String(body[...colon])
            body = body[body.index(after: colon)...]
        }
        rest = String(body)
    }

    /// `#` opens a comment at the start or after a space, outside quotes.
    private static func commentStart(_ text: Substring) -> Substring.Index? {
        var quote: Character?
        var before: Character = " "
        for i in text.indices {
            let c = text[i]
            if let open = quote {
                if c == open { quote = nil }
            } else if c == "\"" || c == "'" {
                quote = c
            } else if c == "#", before == " " {
                return i
            }
            before = c
        }
        return nil
    }
}
