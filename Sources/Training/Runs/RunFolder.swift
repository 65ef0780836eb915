import Diagnostics
import Files
import Foundation

/// The folder of a run as its readers meet it: nothing in it is believed before its hash is compared.
///
/// `run.json` names `recipe.yaml` and `labels.csv`; `result.json` names every file that was written at the
/// end; each phase's `result.json` names the files of the phase.
public struct RunFolder: Sendable {
    public let path: String
    /// What to do about damage.
    let remedy: Remedy

    /// - Parameter training: whether it is read in order to go on with the run.
    public init(_ path: String, training: Bool = false) {
        self.path = path
        remedy = training ? .remake : .remakeRun(path)
    }

    private static let limit = 1 << 30  // bytes

    /// Whether there is a run at all.
    public var exists: Bool { FileManager.default.fileExists(atPath: "\(path)/run.json") }

    func facts() throws(Problem) -> Recorded<RunFacts> {
        try SealedRecord.read("\(path)/run.json", limit: RunFolder.limit, remedy: remedy)
    }

    /// Refuses a recipe that is not the one that the run was begun with.
    ///
    /// - Parameter remake: whether a damaged `run.json` is going to be made again, so that the recipe has
    ///   to be taken as it is.
    public func verifyRecipe(remake: Bool = false) throws(Problem) {
        guard exists else { return }
        if remake, (try? facts()) == nil { return }
        let recorded = try facts().files.filter { $0.key == "recipe.yaml" }
        try Training.verify(recorded, in: path, remedy: .remakeWithRecipe(path))
    }

    /// Refuses damage to what was written before training began.
    @discardableResult
    func verifyBeginning() throws(Problem) -> RunFacts {
        let record = try facts()
        var files = record.files
        if let recipe = files.removeValue(forKey: "recipe.yaml") {
            try Training.verify(
                ["recipe.yaml": recipe], in: path, remedy: .remakeWithRecipe(path))
        }
        try Training.verify(files, in: path, remedy: remedy)
        return record.value
    }

    /// Refuses damage to what was written at the end; does nothing where the run has not ended.
    func verifyEnd() throws(Problem) {
        try Training.verify(end()?.files ?? [:], in: path, remedy: remedy)
    }

    /// Nil where the run has not ended.
    func scores() throws(Problem) -> RunResult.Scores? { try end()?.value }

    private func end() throws(Problem) -> Recorded<RunResult.Scores>? {
        let file = "\(path)/result.json"
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        return try SealedRecord.read(file, limit: RunFolder.limit, remedy: remedy)
    }

    /// Refuses damage to any file beside the phases: what a reader of the result looks at.
    public func verify() throws(Problem) {
        guard exists else { return }
        try verifyBeginning()
        try verifyEnd()
    }
}
