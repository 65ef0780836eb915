import Diagnostics
import Files
import Foundation
import SafeTensors

extension Run {
    /// Puts what the last phase says of single samples beside the run's result: of the weights that are its
    /// result. Features stay in the phase.
    ///
    /// - Returns: the files' names.
    func writeSampleFiles() throws(Problem) -> [String] {
        let phase = store.path(chain.last!)
        func has(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: "\(phase)/\(name)")
        }
        var names: [String] = []
        if has(SampleFiles.judged) {
            let table = try SampleTable("\(phase)/\(SampleFiles.judged)")
            let (values, width) = try table.values(
                SampleFiles.logProbabilities(ema: recipe.training.useEMA))
            var writer = SampleFiles.writer(table.index, table.role)
            writer.add(
                SampleFiles.logProbabilities(ema: false), floats: values.map(Float.init),
                shape: [table.count, width])
            try writer.write(
                to: "\(folder)/\(SampleFiles.judged)", using: environment.files)
            names.append(SampleFiles.judged)
        }
        if has(SampleFiles.dynamics) {
            try environment.files.replace(
                "\(folder)/\(SampleFiles.dynamics)",
                with: try readFile("\(phase)/\(SampleFiles.dynamics)"))
            names.append(SampleFiles.dynamics)
        }
        return names
    }
}

/// Values that the sections of a phase have of each training sample, by where the sample is in the data as
/// read: ELR's share of the given label, SOP's u, the times that co-teaching selected a sample. Of a phase that
/// records dynamics.
public struct SampleColumns: Sendable {
    /// In the data as read.
    public let index: [Int]
    /// Without the phase's name before them.
    public let names: [String]
    private let cells: [[Substring]]

    /// - Parameter folder: of a finished phase.
    /// - Throws: if it recorded no dynamics, or what it has is not of these samples.
    public init(phase folder: String) throws(Problem) {
        index = try SampleTable("\(folder)/\(SampleFiles.dynamics)").index
        guard let columns = try SectionFiles.columns(folder) else {
            (names, cells) = ([], [])
            return
        }
        func split(_ line: Substring) -> [Substring] {
            line.split(separator: ",", omittingEmptySubsequences: false)
        }
        // Numbers and words without commas: what sections have in their columns.
        names = split(columns.names).map { name in
            String(name.drop { $0 != "." }.dropFirst())
        }
        let rows = columns.rows.map(split)
        guard rows.count == index.count, rows.allSatisfy({ [names] in $0.count == names.count })
        else {
            throw Problem(
                .data, "columns that cannot be told apart", at: .file("\(folder)/columns.csv"))
        }
        cells = names.indices.map { column in rows.map { $0[column] } }
    }

    /// The numbers of a column, not-a-number where there is none; nil if there is no such column.
    public func numbers(_ name: String) -> [Double]? {
        names.firstIndex(of: name).map { cells[$0].map { Double($0) ?? .nan } }
    }
}
