import Audit
import Datasets
import Diagnostics

/// What a person says of a random sheet, as far as it is about samples that are judged.
struct PersonsVerdicts {
    let verdicts: Verdicts
    /// Labels that the person knows, by row of the data: those that are right, and those that are written down.
    private(set) var known: [Int: Int] = [:]

    /// - Throws: what `Verdicts` throws, and for a sample that is not judged or a label that is no class.
    init(_ path: String, _ samples: AuditSamples) throws(Problem) {
        let given = samples.given
        verdicts = try Verdicts(file: path, count: given.count, given: given)
        let part = samples.learning
        let places = part.places
        for sample in verdicts.verdicts.keys.sorted() where places[sample] < 0 {
            throw .verdictOnOther(path, sample)
        }
        let reader = ClassReader(
            classCount: samples.classes, classNames: samples.classNames,
            words: Set(verdicts.labels.values))
        for (sample, word) in verdicts.labels.sorted(by: { $0.key < $1.key }) {
            guard let label = reader[word] else { throw .labelOfVerdict(path, sample, word) }
            known[sample] = label
        }
        for sample in verdicts.samples(.right) { known[sample] = part.labels[places[sample]] }
    }
}

extension AuditSamples {
    /// Given labels in words, by row of the data.
    var given: [String] {
        var labels = learning.data.labels
        for (row, label) in zip(learning.rows, learning.labels) { labels[row] = label }
        return labels.map { classNames[$0] }
    }

    func check(budget: Int) throws(Problem) {
        guard budget <= learning.count else { throw .budgetTooLarge(budget, learning.count) }
    }
}
