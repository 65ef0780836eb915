import Datasets
import Diagnostics
import Foundation
import Testing

let cifarNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]

/// 0, 1, …, C − 1, 0, 1, … of length `count`.
func cyclicLabels(_ count: Int, _ classCount: Int) -> [Int] {
    (0..<count).map { $0 % classCount }
}

/// Five standard deviations of a binomial share: a right model fails once in 1.7 million seeds.
func fiveSigma(_ p: Double, _ count: Int) -> Double {
    5 * (p * (1 - p) / Double(count)).squareRoot()
}

func expectShare(
    _ share: Double, _ p: Double, of count: Int,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(
        abs(share - p) <= fiveSigma(p, count), "\(share), not \(p)", sourceLocation: sourceLocation)
}

/// Pearson's statistic of the realised matrix against `matrix`, row by row, and the bound
/// df + 5 sqrt(2 df). A count where `matrix` has a zero makes it infinite.
func chiSquare(_ noisy: NoisyLabels, _ matrix: [[Double]]) -> (statistic: Double, bound: Double) {
    var statistic = 0.0
    var freedom = 0.0
    for (a, row) in matrix.enumerated() {
        freedom -= 1
        for (b, p) in row.enumerated() {
            let count = noisy.realisedTransition![a][b] * Double(noisy.counts[a])
            guard p > 0 else {
                if count > 0.5 { statistic = .infinity }
                continue
            }
            freedom += 1
            let expected = p * Double(noisy.counts[a])
            statistic += (count - expected) * (count - expected) / expected
        }
    }
    return (statistic, freedom + 5 * (2 * freedom).squareRoot())
}

/// The one line that `body` refuses with, or a failed expectation.
func refusal(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws(Problem) -> Void
) -> String {
    do throws(Problem) {
        try body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
        return ""
    } catch {
        #expect(error.kind == .data, sourceLocation: sourceLocation)
        return error.description
    }
}

/// Runs `body` with a file of these bytes; in messages the file is called FILE.
func withFile<Value>(_ bytes: [UInt8], _ body: (String) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("noise-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/labels.csv"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return try body(path)
}
