import Diagnostics
import Files

/// How much each sample's loss counts in training, as a file says it:
///
///     sample,weight
///     17,0.25
///
/// A sample without a row has weight 1. Weights are finite and at least 0.
public struct SampleWeights: Equatable, Sendable {
    /// One for each sample.
    public private(set) var values: [Double]

    /// - Parameter data: as read; samples are counted in it.
    /// - Throws: for the first row that does not fit the data.
    public init(_ options: SampleFileOptions, for data: Dataset) throws(Problem) {
        let file = try SampleFile(options.file, of: data, needed: "weight")
        values = [Double](repeating: 1, count: data.count)
        for row in file.rows {
            let word = file.cell("weight", of: row) ?? ""
            guard let weight = Double(word), weight >= 0, weight <= 1e6 else {
                throw .sampleFileWeight(file.path, row.line, word)
            }
            values[row.sample] = weight
        }
    }

    public init(_ values: [Double]) { self.values = values }

    public func subset(_ samples: [Int]) -> SampleWeights {
        SampleWeights(samples.map { values[$0] })
    }

    /// SHA-256 of the values as little-endian float64.
    public var sha256: String {
        var hash = SHA256()
        values.map(\.bitPattern.littleEndian).withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }

    /// Weights of some samples, divided by their mean, so that they say what counts more than what and not
    /// how long a step is.
    ///
    /// - Returns: nil where none of them counts.
    public func normalised(of samples: [Int]) -> [Double]? {
        let own = samples.map { values[$0] }
        let sum = own.reduce(0, +)
        guard sum > 0 else { return nil }
        return own.map { $0 * Double(own.count) / sum }
    }
}
