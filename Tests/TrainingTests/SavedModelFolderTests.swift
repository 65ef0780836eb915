import Diagnostics
import Foundation
import Testing

@testable import Training

/// Folders without a network say what they are and what goes on with them.
struct SavedModelFolderTests {
    private func sentence(_ names: String...) throws -> String {
        let folder = "\(NSTemporaryDirectory())/limbeck-folder-\(UUID().uuidString)"
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? manager.removeItem(atPath: folder) }
        for name in names {
            if name.hasSuffix("/") {
                try manager.createDirectory(
                    atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            } else {
                try Data("{}".utf8).write(to: URL(filePath: "\(folder)/\(name)"))
            }
        }
        return failure { try SavedModel(path: folder) }.replacing(folder, with: "F")
    }

    @Test func sentences() throws {
        #expect(
            try sentence("recipe.yaml", "result.json", "phases/")
                == "F: this is a comparison, which keeps no network: expected a run folder of train, "
                + "or a weights file (limbeck report F writes its page; limbeck train makes a network "
                + "of a row)")
        #expect(
            try sentence("recipe.yaml", "run.json", "phases/")
                == "F: the run is not finished (limbeck train --resume --out F)")
        #expect(
            try sentence("labels.csv")
                == "F, model.safetensors: no network in this folder: expected a run folder of train, "
                + "or a weights file")
    }
}
