import Diagnostics
import Files
import Foundation
import TestSupport
import Testing

@testable import Training

/// Whose folder it is, and who holds it.
@Suite(.serialized, .takesTurns) struct FolderClaimTests {
    private let files = LocalFileSystem()

    private func claim(
        _ folder: String, _ kind: FolderClaim.Kind = .run, continues: Bool = true
    ) throws(Problem) -> FolderClaim {
        try FolderClaim(folder, for: kind, continues: continues, using: files)
    }

    private func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    @Test func theLockGoesWithTheWork() throws {
        let scratch = try Scratch()
        let held = try claim(scratch("run"))
        #expect(names(scratch("run")) == ["lock"])
        #expect(
            failure { try claim(scratch("run")) }
                == "\(scratch("run")): another process writes into this folder: found process "
                + "\(getpid()) (wait for it, stop it, or give another --out)")
        held.release()
        #expect(names(scratch("run")) == [])
    }

    /// What a killed process left is taken up by one of the same kind alone.
    @Test func aMarkedFolderIsOurs() throws {
        let scratch = try Scratch()
        let folder = scratch("killed")
        let held = try claim(folder)
        try files.write([1], to: "\(folder)/recipe.yaml")
        try files.write([1], to: "\(folder)/.limbeck-0123456789abcdef.partial")
        // Nothing but the lock says yet that the file is ours.
        held.release()
        #expect(names(folder).contains("lock"))
        #expect(failure { try claim(folder, .comparison) }.contains("the folder holds other files"))
        let again = try claim(folder)
        #expect(names(folder) == ["lock", "recipe.yaml"])
        try files.write([1], to: "\(folder)/run.json")
        again.release()
        #expect(names(folder) == ["recipe.yaml", "run.json"])
        #expect(
            failure { try claim(folder, continues: false) }
                == "\(folder): the run folder is there already (continue with --resume, or give "
                + "another --out)")
        #expect(names(folder) == ["recipe.yaml", "run.json"], "nothing is left by a refusal")
    }

    @Test func foreignFoldersAreRefused() throws {
        let scratch = try Scratch()
        for (name, kind) in [("a", FolderClaim.Kind.run), ("b", .comparison)] {
            try files.createDirectory(scratch(name))
            try files.write([1], to: scratch("\(name)/recipe.yaml"))
            #expect(
                failure { try claim(scratch(name), kind) }
                    == "\(scratch(name)): the folder holds other files: found \"recipe.yaml\", expected "
                    + "a new or empty folder, or one of the same \(kind.rawValue) (give another --out)"
            )
            // A file that happens to have the lock's name marks nothing.
            try files.write(Array("my lock".utf8), to: scratch("\(name)/lock"))
            #expect(failure { try claim(scratch(name), kind) }.contains("holds other files"))
            #expect(try readFile(scratch("\(name)/lock")) == Array("my lock".utf8))
        }
        #expect(
            failure { try claim("") }
                == "no name of a folder: found \"\", expected a new or empty folder (give another --out)"
        )
        try files.createDirectory(scratch("c/phases/0123456789abcdef01234567"))
        try claim(scratch("c"), .comparison).release()
        #expect(failure { try claim(scratch("c"), .run) }.contains("holds other files"))
        try files.createDirectory(scratch("d/phases/1-stage-1"))
        try claim(scratch("d"), .run).release()
        #expect(names(scratch("d")) == ["phases"])
        #expect(failure { try claim(scratch("d"), .comparison) }.contains("holds other files"))
    }

    /// A run of a Swift program is guarded as one of the command is.
    @Test func aHeldFolderStaysAsItIs() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe()
            let held = try claim(scratch("run"))
            let before = try Tiny.content(scratch("run"))
            let said = failure { try Tiny.run(recipe, scratch("run")).train() }
            #expect(said.contains("another process writes into this folder"))
            #expect(try Tiny.content(scratch("run")) == before)
            held.release()
            _ = try Tiny.run(recipe, scratch("run")).train(continues: false)
            #expect(!names(scratch("run")).contains("lock"))
            let done = try Tiny.content(scratch("run"))
            #expect(
                failure { try Tiny.run(recipe, scratch("run")).train(continues: false) }
                    .contains("there already"))
            #expect(try Tiny.content(scratch("run")) == done)
        }
    }
}
