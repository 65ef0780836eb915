import Diagnostics
import Files
import Foundation

@testable import Training

/// What the readers of recipes and of a run folder's records promise for any bytes.
enum TrainingProperties {
    /// A recipe is read as it is written back, as a recipe or as a comparison.
    static func recipe(_ bytes: [UInt8]) throws -> Bool {
        var file: RecipeFile?
        let isText = try accepted { file = try RecipeFile(bytes: bytes, file: "input") }
        guard isText, let file else { return false }
        let isRecipe = try accepted {
            let recipe = try file.decoded(Recipe.self)
            let text = recipe.yaml
            let again = try RecipeFile(text: text, file: "copy").decoded(Recipe.self)
            // By its text: not a number is not equal to itself.
            try promise(again.yaml == text, "the recipe changes when it is written")
        }
        let isComparison = try accepted {
            guard file.has("rows") else { return }
            let rows = try ComparisonFile([file]).rows
            try promise(!rows.isEmpty, "a comparison of nothing")
        }
        return isRecipe || (isComparison && file.has("rows"))
    }

    /// `key.path=value` of `--set`, for any text.
    static func assignment(_ bytes: [UInt8]) throws -> Bool {
        let base = "data: {kind: embedded}\nmodel: {name: mlp}\nmethod: {name: cross-entropy}\n"
        return try accepted([.data, .usage]) {
            let file = try RecipeFile(text: base, file: "input")
                .setting(String(decoding: bytes, as: UTF8.self))
            _ = try file.decoded(Recipe.self)
        }
    }

    /// The same bytes in the place of every record of a run folder and of a comparison.
    static func records(_ bytes: [UInt8]) throws -> Bool {
        let folder =
            "\(NSTemporaryDirectory())/limbeck-records-\(ProcessInfo.processInfo.processIdentifier)"
        let step = "\(folder)/checkpoints/step-000000000001"
        let manager = FileManager.default
        try manager.createDirectory(atPath: step, withIntermediateDirectories: true)
        defer { try? manager.removeItem(atPath: folder) }
        for name in ["run.json", "result.json", "checkpoints/step-000000000001/checkpoint.json"] {
            try Data(bytes).write(to: URL(filePath: "\(folder)/\(name)"))
        }
        let isRun = try accepted([.data, .io]) { _ = try RunFacts(folder: folder) }
        let isComparison = try accepted([.data, .io]) {
            let record = try ComparisonRecord(folder: folder)
            for row in record.rows { _ = record.cells(row: row, noise: 0) }
        }
        // Its tensors are not there, so that even a good record is refused.
        let isCheckpoint = try accepted([.data, .io]) {
            let store = CheckpointStore(folder: "\(folder)/checkpoints", files: LocalFileSystem())
            try promise(try store.load() == nil, "a checkpoint without tensors")
        }
        return isRun || isComparison || isCheckpoint
    }
}
