import Diagnostics
import Files
import Report

/// Gains that `limbeck selfdistil` measured at one noise rate, read from its JSON.
struct MeasuredGains {
    private struct File: Decodable {
        var cells: [Cell]
    }

    private struct Cell: Decodable {
        var theta, alpha: Double
        var gains: [String: Mean]
    }

    private struct Mean: Decodable {
        var mean: Double
        var standardError: Double?
        enum CodingKeys: String, CodingKey {
            case mean
            case standardError = "standard_error"
        }
    }

    private let cells: [Cell]

    /// - Parameter path: what `selfdistil` prints as JSON, or the `result.json` in its folder.
    init(_ path: String, theta: Double) throws(Problem) {
        let bytes = try readFile(path, limit: 64 << 20)
        guard let file = try? JSON.read(File.self, bytes) else { throw .badGains(path) }
        cells = file.cells.filter { abs($0.theta - theta) < 1e-9 }.sorted { $0.alpha < $1.alpha }
        guard !cells.isEmpty else {
            throw .noGains(path, theta, known: Set(file.cells.map(\.theta)).sorted())
        }
    }

    /// Dots with bars of one standard error; nil where such an arm was not measured.
    ///
    /// - Parameter arm: as `selfdistil` names it: `1-SD hard`.
    func curve(_ arm: String, name: String, series: Int) -> Curve? {
        let own = cells.compactMap { cell in cell.gains[arm].map { (cell.alpha, $0) } }
        guard !own.isEmpty else { return nil }
        return Curve(
            name: name, x: own.map(\.0), mean: own.map(\.1.mean),
            sd: own.map { $0.1.standardError ?? .nan }, marks: true, series: series)
    }
}

extension Problem {
    static func badGains(_ file: String) -> Problem {
        Problem(
            .data, "not the JSON of limbeck selfdistil", at: .file(file),
            hint: "give the JSON that selfdistil prints, or the result.json in its folder")
    }
    static func noGains(_ file: String, _ theta: Double, known: [Double]) -> Problem {
        Problem(
            .data, "no gains were measured at this noise rate", at: .file(file, "cells"),
            found: "theta \(known.map { Numbers.compact($0) }.joined(separator: ", "))",
            expected: "theta \(Numbers.compact(theta))")
    }
}
