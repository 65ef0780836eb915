import ArgumentParser
import Audit
import Diagnostics
import Foundation

@main
struct LimbeckAuditBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limbeck-audit-bench",
        abstract: "Finds the label issues of a table of probabilities and says how long it takes; "
            + "called by audit.py.")

    @Argument(help: "Probabilities: an .npy file of float32 or float64.") var table: String
    @Argument(help: "Given labels: an .npy file of int64.") var labels: String
    @Option(help: "Expected counts to prune by, as JSON [given][true], instead of our own.")
    var counts: String?
    @Option(help: "Where to write the indices, the worst first, and the joint, as JSON.")
    var output: String?
    @Flag(help: "Write all filters, counts and scores too, for comparisons.")
    var everything = false
    @Flag(help: "Leave the table in the file instead of reading it into memory first.")
    var mapped = false
    @Option var rounds = 1
    @Option(help: "0: as many as there are processors.") var workers = 0

    func run() throws {
        let labels = try Self.integers(labels)
        var table = try ProbabilityTable(path: table)
        if !mapped { table = Self.inMemory(table) }
        var options = PruneOptions()
        if let counts {
            options.counts = try JSON.read(
                [[Int]].self, Data(contentsOf: URL(fileURLWithPath: counts)))
        }
        let before = Memory.resetPeak()
        var answer = Answer()
        for _ in 0..<rounds {
            let clock = ContinuousClock()
            let start = clock.now
            let learning = try ConfidentLearning(
                table, labels: labels, workers: workers > 0 ? workers : nil)
            let joint = clock.now
            let issues = learning.issues(.pruneByNoiseRate, options)
            let selected = clock.now
            let ranked = learning.ranked(issues)
            let end = clock.now
            answer.seconds.append((end - start) / .seconds(1))
            answer.parts = [joint - start, selected - joint, end - selected].map {
                $0 / .seconds(1)
            }
            answer.issues = ranked.count
            if let output {
                var found = Found(issues: ranked, joint: learning.joint.counts)
                if everything { found.all = All(learning, options) }
                try Data(JSON.text(found)).write(to: URL(fileURLWithPath: output))
            }
        }
        if let before, let peak = Memory.peak { answer.bytes = peak - before }
        try FileHandle.standardOutput.write(contentsOf: JSON.line(answer))
    }

    /// The numbers of a one-dimensional array of int64, as numpy writes them.
    private static func integers(_ path: String) throws -> [Int] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let start = 10 + (Int(data[8]) | Int(data[9]) << 8)
        return data.dropFirst(start).withUnsafeBytes { bytes in
            (0..<bytes.count / 8).map {
                Int(bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self))
            }
        }
    }

    private static func inMemory(_ table: ProbabilityTable) -> ProbabilityTable {
        table.withRows(0..<table.rows) { rows in
            switch rows {
            case .floats(let values): ProbabilityTable(Array(values), classes: table.classes)
            case .doubles(let values): ProbabilityTable(Array(values), classes: table.classes)
            }
        }
    }
}

/// One line of standard output.
private struct Answer: Encodable {
    /// Of each round: thresholds, joint, issues and their order.
    var seconds: [Double] = []
    /// Of the last round: joint, issues, order.
    var parts: [Double] = []
    var issues = 0
    /// How far the resident memory rose above that with the table and the labels; absent where the system
    /// does not tell.
    var bytes: Int?
}

private struct Found: Encodable {
    var issues: [Int]
    var joint: [[Int]]
    var all: All?
}

/// All that the package cleanlab says as well.
private struct All: Encodable {
    var thresholds: [Double]
    var calibrated: [[Int]]
    var disagreeing: [Int]
    var health: Double
    var filters: [String: [Int]]
    var scores: [String: [Double]]
    var distribution: [Double]

    init(_ learning: ConfidentLearning, _ options: PruneOptions) {
        thresholds = learning.joint.thresholds
        calibrated = learning.joint.calibratedCounts
        disagreeing = learning.disagreeing
        health = learning.health
        filters = Dictionary(
            uniqueKeysWithValues: LabelFilter.allCases.map {
                ($0.rawValue, learning.issues($0, options))
            })
        scores = Dictionary(
            uniqueKeysWithValues: LabelScore.allCases.map { ($0.rawValue, learning.scores($0)) })
        distribution = learning.distributionScores()
    }
}

/// Resident memory of this process, from the kernel (Linux).
private enum Memory {
    /// Sets the recorded peak back to the present, which it returns, in bytes.
    static func resetPeak() -> Int? {
        try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
        return field("VmRSS")
    }

    static var peak: Int? { field("VmHWM") }

    private static func field(_ name: String) -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") }),
            let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first
        else { return nil }
        return Int(kibibytes).map { $0 * 1024 }
    }
}
