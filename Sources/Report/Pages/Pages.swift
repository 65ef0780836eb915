import Diagnostics
import Files

/// A name and a value in the head of a page: `seeds`, `1, 2, 3`.
public struct Fact: Codable, Equatable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// The page of one run.
public struct RunPage: Codable, Equatable, Sendable {
    public var title: String
    /// One line under the title: data, noise, network.
    public var subtitle: String
    /// What the run was made of: seeds, versions, threads, data hash, realised noise rate.
    public var facts: [Fact]
    /// What a reader must know before believing a number; shown above everything else.
    public var warnings: [String]
    /// The result in plain sentences.
    public var findings: [String]
    public var tables: [TableModel]
    public var charts: [CurveChart]
    public var heatMaps: [HeatMap]
    /// Images that the run made.
    public var imageGrids: [ImageGrid]
    /// The resolved recipe, YAML.
    public var recipe: String

    public init(
        title: String, subtitle: String = "", facts: [Fact] = [], warnings: [String] = [],
        findings: [String] = [], tables: [TableModel] = [], charts: [CurveChart] = [],
        heatMaps: [HeatMap] = [], imageGrids: [ImageGrid] = [], recipe: String = ""
    ) {
        self.title = title
        self.subtitle = subtitle
        self.facts = facts
        self.warnings = warnings
        self.findings = findings
        self.tables = tables
        self.charts = charts
        self.heatMaps = heatMaps
        self.imageGrids = imageGrids
        self.recipe = recipe
    }
}

/// Some methods under one label noise.
public struct MethodGroup: Codable, Equatable, Sendable {
    /// Of the noise; empty where there is only one.
    public var title: String
    /// The first is what the others are compared with.
    public var methods: [MethodResult]

    public init(title: String = "", methods: [MethodResult]) {
        self.title = title
        self.methods = methods
    }

    public var ranking: Ranking { Ranking(methods) }
}

/// The page of a comparison: methods over seeds.
///
/// For each group a line that says which method is best, the ranked table and the dot plot are made from its
/// methods; further tables and figures are shown after them.
public struct ComparisonPage: Codable, Equatable, Sendable {
    public var title: String
    public var subtitle: String
    public var facts: [Fact]
    public var warnings: [String]
    /// What is to be said besides the answers.
    public var findings: [String]
    /// The name of the metric: `test accuracy`.
    public var metric: String
    /// One for each label noise.
    public var groups: [MethodGroup]
    /// Whether the page begins with the answers of the rankings.
    public var answers = true
    /// What stands before the methods' table.
    public var lead: [TableModel] = []
    /// Folded.
    public var tables: [TableModel]
    public var charts: [CurveChart]
    /// Folded.
    public var heatMaps: [HeatMap]
    public var recipe: String

    public init(
        title: String, subtitle: String = "", facts: [Fact] = [], warnings: [String] = [],
        findings: [String] = [], metric: String = "test accuracy", groups: [MethodGroup],
        tables: [TableModel] = [], charts: [CurveChart] = [], heatMaps: [HeatMap] = [],
        recipe: String = ""
    ) {
        self.title = title
        self.subtitle = subtitle
        self.facts = facts
        self.warnings = warnings
        self.findings = findings
        self.metric = metric
        self.groups = groups
        self.tables = tables
        self.charts = charts
        self.heatMaps = heatMaps
        self.recipe = recipe
    }
}

/// The page of a theory's prediction: curves, maps and tables, and what they were asked for.
public struct TheoryPage: Codable, Equatable, Sendable {
    public var title: String
    public var subtitle: String
    /// The setting: the mixture, the losses, the resolution.
    public var facts: [Fact]
    /// What a reader must know before believing a number.
    public var warnings: [String]
    public var findings: [String]
    public var tables: [TableModel]
    public var charts: [CurveChart]
    public var heatMaps: [HeatMap]

    public init(
        title: String, subtitle: String = "", facts: [Fact] = [], warnings: [String] = [],
        findings: [String] = [], tables: [TableModel] = [], charts: [CurveChart] = [],
        heatMaps: [HeatMap] = []
    ) {
        self.title = title
        self.subtitle = subtitle
        self.facts = facts
        self.warnings = warnings
        self.findings = findings
        self.tables = tables
        self.charts = charts
        self.heatMaps = heatMaps
    }
}
