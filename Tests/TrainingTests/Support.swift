import Diagnostics
import Files
@_exported import FolderSupport
import Foundation
import Testing
import Torch

@testable import Training

/// Recipes, data and runs that are small enough to be trained in a test.
enum Tiny {
    static let text = """
        data: {kind: embedded, limit: 200}
        noise: {kind: symmetric, rate: 0.3}
        model: {name: mlp, hidden: [16]}
        method: {name: cross-entropy}
        optimizer: {learning-rate: 0.02}
        training: {epochs: 2, batch: 64, checkpoint-steps: 2, ema: 0.9}
        """

    /// The embedded images are decoded once for all tests.
    static let files = DataFiles()

    static func recipe(_ changes: String...) throws -> Recipe {
        var file = try RecipeFile(text: text, file: "tiny")
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self)
    }

    static var compute: ComputeOptions { ComputeOptions(threads: 1) }

    static func run(
        _ recipe: Recipe, _ folder: String, _ environment: TrainingEnvironment = .init()
    ) throws -> Run {
        try Run(
            recipe, folder: folder, compute: compute, environment: environment, dataFiles: files)
    }

    /// Every file and folder below `folder`, without the files that hold times.
    static func content(_ folder: String) throws -> [String: [UInt8]] {
        var content: [String: [UInt8]] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder)
        where !path.hasSuffix("timing.json") {
            var isFolder: ObjCBool = false
            FileManager.default.fileExists(atPath: "\(folder)/\(path)", isDirectory: &isFolder)
            content[path] = isFolder.boolValue ? [] : try readFile("\(folder)/\(path)")
        }
        return content
    }
    /// Trains a recipe in one go, and again with a stop after some steps of its one phase.
    ///
    /// - Parameter droppingRandomState: go on with other random numbers, as a negative control.
    /// - Returns: the files that differ.
    static func differences(
        afterStop stop: Int, of recipe: Recipe, _ scratch: Scratch,
        droppingRandomState: Bool = false
    ) throws -> Set<String> {
        let (whole, cut) = (scratch("whole-\(UUID())"), scratch("cut-\(UUID())"))
        _ = try run(recipe, whole).train()
        var environment = TrainingEnvironment()
        let steps = Steps()
        environment.observe = { if case .step = $0 { steps.count() } }
        environment.shouldStop = { steps.value == stop }
        let said = failure { try run(recipe, cut, environment).train() }
        try #require(said.hasPrefix("interrupted (checkpoint "), "\(said)")
        environment.shouldStop = { false }
        environment.dropRandomState = droppingRandomState
        _ = try run(recipe, cut, environment).train()
        let (a, b) = (try content(whole), try content(cut))
        return Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }
    }

    /// A recipe of the folder `Examples`.
    static func example(_ name: String) -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../.."
        return "\(root)/Examples/\(name)"
    }
}

/// Logits [6, 4] of two networks for the same six samples, and given labels: what the numbers of the robust
/// methods were computed with.
enum RobustVectors {
    static let first: [Double] = [
        2, 0.5, -1, 0, 0.1, 1.2, 0.3, -0.7, -0.5, 0.2, 1.5, 0.4, 0.3, -0.2, 0.1, 2.2, 1.1, 0.9,
        -0.3, 0.2, -1, 2, 0.5, 0,
    ]
    static let second: [Double] = [
        1.5, -0.5, 0.2, 0.1, 1, 0.4, 0.6, -0.2, 0, 0.3, 2, -0.6, 0.8, 0.1, -0.4, 1, -0.2, 1.4, 0.5,
        0.3, 0.2, 1.1, 0.9, -0.8,
    ]
    static let labels = [0, 1, 2, 3, 0, 2]
}
