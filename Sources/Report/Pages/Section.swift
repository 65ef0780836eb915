import Foundation

/// What a part of a run has to show, in the models that reports are made of.
///
/// Whoever trains makes sections at the end of a phase. What becomes of them asks for no more than this
/// type: the page of a run shows warnings, findings and figures; the page of a comparison, and JSON, show
/// `values` over seeds; the table of samples gets `columns`.
///
///     Section(
///         title: "Early learning", findings: ["The targets meet the clean label on 81.0 %."],
///         values: [.init("right-targets", "right targets", 0.81, .percent(1), largerIsBetter: true)])
public struct Section: Equatable, Sendable {
    /// Sections of one title share a table of values.
    public var title: String
    /// What a terminal says when the phase is done: a clause without an end.
    public var summary: String?
    /// What a reader must know before believing a number.
    public var warnings: [String]
    /// Plain sentences.
    public var findings: [String]
    public var tables: [TableModel]
    public var charts: [CurveChart]
    public var heatMaps: [HeatMap]
    public var imageGrids: [ImageGrid]
    public var values: [Value]
    /// What the subjects of `values` are, such as `teacher`: the head of their column.
    public var subject: String?
    /// A sentence under the table of `values`.
    public var note: String?
    public var columns: [Column]

    public init(
        title: String, summary: String? = nil, warnings: [String] = [], findings: [String] = [],
        tables: [TableModel] = [], charts: [CurveChart] = [], heatMaps: [HeatMap] = [],
        imageGrids: [ImageGrid] = [], values: [Value] = [], subject: String? = nil,
        note: String? = nil, columns: [Column] = []
    ) {
        self.title = title
        self.summary = summary
        self.warnings = warnings
        self.findings = findings
        self.tables = tables
        self.charts = charts
        self.heatMaps = heatMaps
        self.imageGrids = imageGrids
        self.values = values
        self.subject = subject
        self.note = note
        self.columns = columns
    }

    /// The part that results and comparisons keep: without findings, figures and columns.
    public var numbers: Section {
        Section(
            title: title, summary: summary, warnings: warnings, values: values, subject: subject,
            note: note)
    }

    /// A number that is compared, and averaged over seeds.
    public struct Value: Equatable, Sendable {
        /// For programs: `right-labels`.
        public var name: String
        /// For readers, the head of a column: `right labels`.
        public var title: String
        /// What it is a number of, where a section has several of a kind: `teacher-2`.
        public var subject: String?
        /// Nil where it is not known.
        public var value: Double?
        public var format: NumberFormat
        /// Nil where neither is better.
        public var largerIsBetter: Bool?

        public init(
            _ name: String, _ title: String, of subject: String? = nil, _ value: Double?,
            _ format: NumberFormat, largerIsBetter: Bool? = nil
        ) {
            self.name = name
            self.title = title
            self.subject = subject
            self.value = value.flatMap(\.orNull)
            self.format = format
            self.largerIsBetter = largerIsBetter
        }

        /// `weight.teacher-2`
        public var key: String { subject.map { "\(name).\($0)" } ?? name }
    }

    /// Of each sample of the training split.
    public struct Column: Codable, Equatable, Sendable {
        public var name: String
        /// In the order of the split.
        public var cells: [String]

        public init(name: String, cells: [String]) {
            self.name = name
            self.cells = cells
        }

        /// Six significant digits; what is not known or not finite is an empty cell.
        public init(name: String, numbers: some Sequence<Double?>) {
            self.init(
                name: name,
                cells: numbers.map { number in
                    number.flatMap(\.orNull).map { String(format: "%.6g", $0) } ?? ""
                })
        }
    }
}

/// In JSON, parts that are empty are left out, and a value that is not known is `null`.
extension Section: Codable {
    private enum Keys: String, CodingKey {
        case title, summary, warnings, findings, tables, charts, heatMaps, imageGrids, values
        case subject, note, columns
    }

    public init(from decoder: any Decoder) throws {
        let c = try decoder.container(keyedBy: Keys.self)
        func list<Element: Decodable>(_ key: Keys) throws -> [Element] {
            try c.decodeIfPresent([Element].self, forKey: key) ?? []
        }
        self.init(
            title: try c.decode(String.self, forKey: .title),
            summary: try c.decodeIfPresent(String.self, forKey: .summary),
            warnings: try list(.warnings), findings: try list(.findings),
            tables: try list(.tables), charts: try list(.charts), heatMaps: try list(.heatMaps),
            imageGrids: try list(.imageGrids), values: try list(.values),
            subject: try c.decodeIfPresent(String.self, forKey: .subject),
            note: try c.decodeIfPresent(String.self, forKey: .note), columns: try list(.columns))
    }

    public func encode(to encoder: any Encoder) throws {
        var c = encoder.container(keyedBy: Keys.self)
        func encode(_ list: [some Encodable], _ key: Keys) throws {
            if !list.isEmpty { try c.encode(list, forKey: key) }
        }
        try c.encode(title, forKey: .title)
        try c.encodeIfPresent(summary, forKey: .summary)
        try encode(warnings, .warnings)
        try encode(findings, .findings)
        try encode(tables, .tables)
        try encode(charts, .charts)
        try encode(heatMaps, .heatMaps)
        try encode(imageGrids, .imageGrids)
        try encode(values, .values)
        try c.encodeIfPresent(subject, forKey: .subject)
        try c.encodeIfPresent(note, forKey: .note)
        try encode(columns, .columns)
    }
}

extension Section.Value: Codable {
    private enum Keys: String, CodingKey {
        case name, title, subject, value, format, largerIsBetter
    }

    public init(from decoder: any Decoder) throws {
        let c = try decoder.container(keyedBy: Keys.self)
        self.init(
            try c.decode(String.self, forKey: .name), try c.decode(String.self, forKey: .title),
            of: try c.decodeIfPresent(String.self, forKey: .subject),
            try c.decode(Double?.self, forKey: .value),
            try c.decode(NumberFormat.self, forKey: .format),
            largerIsBetter: try c.decodeIfPresent(Bool.self, forKey: .largerIsBetter))
    }

    public func encode(to encoder: any Encoder) throws {
        var c = encoder.container(keyedBy: Keys.self)
        try c.encode(name, forKey: .name)
        try c.encode(title, forKey: .title)
        try c.encodeIfPresent(subject, forKey: .subject)
        try c.encode(value?.orNull, forKey: .value)
        try c.encode(format, forKey: .format)
        try c.encodeIfPresent(largerIsBetter, forKey: .largerIsBetter)
    }
}
