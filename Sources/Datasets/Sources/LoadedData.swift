import Diagnostics

/// What a source gave: samples that belong together, before they are split and their labels
/// corrupted.
public struct LoadedData: Sendable {
    /// Training and validation samples, and those for the test where the data has no others.
    public let learning: Dataset
    /// A test set of its own, of the same shape and classes; nil: one is held out.
    public let test: Dataset?
    /// SHA-256 over the contents of both.
    public let sha256: String
    /// What a reader of the results should know of the data.
    public let warnings: [String]
    /// Files that gave no sample.
    public let unread: [UnreadFile]
    /// Of samples that are files: the SHA-256 of each by its identifier.
    public let contents: [String: String]

    /// Reads the source.
    ///
    /// - Throws: what reading throws; `.data` where the test set does not fit the other.
    public init(_ source: any DataSource) throws(Problem) {
        try source.check()
        let samples = try source.readSamples()
        (learning, test) = (samples.learning, samples.test)
        (unread, contents) = (samples.unread, samples.contents)
        if let test {
            guard test.sampleShape == learning.sampleShape else {
                throw .shapesDiffer(test.name, test.sampleShape, learning.sampleShape)
            }
            guard test.classCount <= learning.classCount else {
                throw .labelsLost(test.name, test.classCount, learning.classCount)
            }
        }
        sha256 = test.map { [learning] in learning.sha256 + $0.sha256 } ?? learning.sha256
        warnings = samples.warnings + LoadedData.warnings(learning, test)
    }

    private static func warnings(_ learning: Dataset, _ test: Dataset?) -> [String] {
        var warnings: [String] = []
        // A test sample that is also a training sample makes the score too good.
        let shared = test?.indicesShared(with: learning).count ?? 0
        if shared > 0 {
            warnings.append(
                "\(shared) test samples are also training samples: the test accuracy is too good to be true"
            )
        }
        let selecting = learning.ownValidationShared
        if selecting > 0 {
            warnings.append(
                "\(selecting) validation samples are also training samples: the validation accuracy is too "
                    + "good to be true")
        }
        if case .text(let texts, _) = learning.features, texts.emptyCount > 0 {
            warnings.append("\(texts.emptyCount) texts are empty")
        }
        let empty = learning.classCounts.indices.filter { learning.classCounts[$0] == 0 }
        if !empty.isEmpty {
            let names = empty.prefix(5).map {
                "\"\(Problem.oneLine(learning.classNames[$0], limit: 40))\""
            }
            warnings.append(
                "no sample of class " + names.joined(separator: ", ")
                    + (empty.count > 5 ? ", …" : "")
                    + (empty == [0] && learning.isImages
                        ? ": the labels seem to count from 1" : "")
                    + "; label noise and predictions may choose it all the same")
        }
        if let column = rowCounter(learning) {
            warnings.append(
                "column \"\(Problem.oneLine(column, limit: 40))\" counts the rows: is it an identifier? "
                    + "(data.drop leaves it out, data.id carries it into the outputs)")
        }
        return warnings
    }

    /// A feature that is 0, 1, 2, … or 1, 2, 3, … from row to row.
    private static func rowCounter(_ data: Dataset) -> String? {
        guard case .table(let cells, let columns) = data.features, data.count >= 20 else {
            return nil
        }
        return columns.indices.first { column in
            let first = cells[column]
            return (first == 0 || first == 1)
                && (0..<data.count).allSatisfy {
                    cells[$0 * columns.count + column] == first + Float($0)
                }
        }.map { columns[$0] }
    }
}
