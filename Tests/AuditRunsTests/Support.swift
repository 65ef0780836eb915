import Audit
import Datasets
import Diagnostics
import Files
@_exported import FolderSupport
import Foundation
import TestSupport
import Testing
import Torch
import Training

@testable import AuditRuns

/// Audits that are small enough for a test.
enum Tiny {
    static let recipe = """
        name: tiny
        data: {kind: gaussian-classes, samples: 330, classes: 3, features: 6, separation: 3}
        noise: {kind: symmetric, rate: 0.3}
        model: {name: mlp, hidden: [12]}
        method: {name: early-learning}
        optimizer: {kind: adam, learning-rate: 0.01}
        training: {epochs: 6, batch: 16, ema: 0}
        """

    static func file(_ changes: [String] = []) throws -> RecipeFile {
        var file = try RecipeFile(text: recipe, file: "tiny.yaml")
        for change in changes { file = try file.setting(change) }
        return file
    }

    static func audit(_ changes: String..., folds: Int = 3) throws -> LabelAudit {
        try LabelAudit(try file(changes), folds: folds)
    }

    static func train(_ rows: ComparisonFile, _ folder: String) throws -> ComparisonRecord {
        let comparison = try Comparison(
            rows, folder: folder, compute: { _ in ComputeOptions(threads: 1) }, threads: 1,
            workers: 1)
        try comparison.run()
        return try ComparisonRecord(folder: folder)
    }

    static func lines(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

extension AuditOutcome {
    func file(_ name: String) throws -> [UInt8] {
        try #require(files().first { $0.name == name }).bytes
    }
}
