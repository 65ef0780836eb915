import Audit
import Datasets
import Diagnostics
import Files
import Report

/// An audit as a page: the answer, the samples whose labels are most likely wrong, and what is known of how far the
/// answer is to be believed. One file; it loads nothing and runs nothing.
///
///     try AuditPage(result, data: data, recipe: recipe).write(to: "report.html")
///
/// Where predictions tell nothing of the labels, nothing that is estimated from them is shown.
public struct AuditPage {
    let result: AuditResult
    let samples: SampleCards
    let testSamples: SampleCards
    private let recipe: String

    /// - Parameters:
    ///   - data: as read, for pictures, texts and rows of tables; without it samples are shown by name.
    ///   - testData: what samples of the test split are rows of, where that is a data set of its own; nil: `data`.
    ///   - recipe: YAML; empty where there is none.
    public init(
        _ result: AuditResult, data: Dataset? = nil, testData: Dataset? = nil, recipe: String = ""
    ) {
        self.result = result
        self.recipe = recipe
        samples = SampleCards(result.learning, result.classNames, data)
        testSamples = SampleCards(
            result.test ?? result.learning, result.classNames, testData ?? data)
    }

    public func html() throws(Problem) -> String { try page.html() }

    /// Writes the page to `path`, so that a reader sees the old page or the new one.
    public func write(
        to path: String, using files: some FileSystem = LocalFileSystem()
    ) throws(Problem) {
        try files.replace(path, with: Array(html().utf8))
    }

    var isUseless: Bool { result.learning.usefulness.isUseless }

    private var page: SectionedPage {
        let findings = Findings(result)
        return SectionedPage(
            kind: "Audit", title: result.name, subtitle: Wording.sentence(findings.judged),
            warnings: result.warnings, answer: "Which labels are wrong?",
            findings: (findings.all(onPage: true) + [unknown].compactMap(\.self)).map(
                Wording.sentence),
            sections: sections, facts: facts, recipe: recipe)
    }

    /// Said where nobody knows the truth and nobody looked.
    private var unknown: String? {
        guard result.learning.truth == nil, result.sheet == nil, !isUseless else { return nil }
        return
            "no true label is known: all of this is estimated. A random sheet judged by a person "
            + "(--sheet) checks it"
    }

    private var sections: [SectionedPage.Section] {
        [
            duplicates, worst, moreOfTheWorst, quality, classes, moreClasses, transition, test,
            people,
            outliers,
        ].compactMap(\.self).filter { !$0.contents.isEmpty || !$0.lines.isEmpty }
    }

    private var facts: [Fact] {
        let learning = result.learning
        var facts = [Fact("data", result.name)]
        switch result.source {
        case .folds(let method, let count, let seed):
            facts += [
                Fact("judged by", method), Fact("folds", "\(count)"), Fact("seed", "\(seed)"),
            ]
        case .file(let path): facts.append(Fact("judged by", path))
        }
        facts += [
            Fact("samples judged", Wording.count(learning.count)),
            Fact("classes", Wording.count(result.classNames.count)),
            Fact("given labels predicted", Wording.measured(learning.usefulness.hits)),
            Fact("by chance", Wording.measured(learning.usefulness.chance)),
            Fact("p of so many by chance", Wording.p(learning.usefulness.p)),
        ]
        if let test = result.test {
            facts.append(Fact("test samples", Wording.count(test.count)))
        }
        if let area = learning.model.injectedArea {
            facts.append(Fact("AUC of changed labels", Wording.area(area)))
        }
        return facts
    }
}

// MARK: Samples

extension AuditPage {
    /// So many samples stand in the gallery at most, the first of them open.
    static let mostShown = 40
    private static let mostOutliers = 24
    private static let mostOfTest = 12
    private static let mostSets = 6

    /// What is shown of a part: its list, or its first samples where that is longer than nothing but short.
    private static func shown(_ part: AuditedPart, most: Int) -> [AuditRows.Row] {
        Array(part.rows.rows.prefix(min(part.listed, most)))
    }

    private var worst: SectionedPage.Section? {
        let rows = Array(AuditPage.shown(result.learning, most: samples.mostOpen))
        guard !rows.isEmpty else { return nil }
        let name =
            rows.count < result.learning.listed
            ? "The most suspicious \(rows.count) of the list" : "The list"
        return .init(
            name,
            samples.contents(
                rows, note: SampleCards.explanation(knowsTruth: result.learning.truth != nil)))
    }

    private var moreOfTheWorst: SectionedPage.Section? {
        let rows = AuditPage.shown(result.learning, most: AuditPage.mostShown)
            .dropFirst(samples.mostOpen)
        guard !rows.isEmpty else { return nil }
        return .init(
            "The next \(rows.count)", samples.contents(Array(rows)), isFolded: true)
    }

    private var duplicates: SectionedPage.Section? {
        guard !result.conflicts.isEmpty else { return nil }
        let sets = Array(result.conflicts.prefix(AuditPage.mostSets))
        let all = result.conflicts.count
        return .init(
            "Duplicates with different labels",
            lines: [
                "Equal or nearly equal samples that were given different labels: at most one label of each "
                    + "set is right."
                    + (all > sets.count
                        ? " The first \(sets.count) of \(Wording.count(all)) sets." : "")
            ], samples.duplicates(sets), isGrid: true)
    }

    private var outliers: SectionedPage.Section? {
        guard !result.outliers.isEmpty else { return nil }
        let shown = result.outliers.prefix(AuditPage.mostOutliers)
        let rows = shown.compactMap { samples.rows[$0] }
        return .init(
            "Outliers",
            lines: [
                "Unlike all others in what the networks see, the farthest first"
                    + (shown.count < result.outliers.count
                        ? " (\(shown.count) of \(Wording.count(result.outliers.count)))." : ".")
            ], samples.contents(rows), isFolded: true)
    }

    private var test: SectionedPage.Section? {
        guard let test = result.test, let said = Findings(result).test else { return nil }
        let rows = AuditPage.shown(test, most: AuditPage.mostOfTest)
        var lines = [Wording.sentence(said)]
        if !rows.isEmpty {
            lines.append(
                "No network learnt from these samples, and no file changes their labels. "
                    + (rows.count < test.listed
                        ? "The first \(rows.count) of its list:" : "Its list:"))
        }
        return .init("The test split", lines: lines, testSamples.contents(rows))
    }
}
