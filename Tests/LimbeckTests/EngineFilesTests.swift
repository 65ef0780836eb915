import Files
import Foundation
import Testing

@testable import LimbeckProgram

/// What `doctor` says of the engine's libraries.
struct EngineFilesTests {
    @Test func librariesAreComparedWithTheirHashes() throws {
        let tool = try Tool()
        let folder = tool.folder
        #expect(
            EngineFiles.state(of: folder).description
                == "unknown: no list of hashes \(folder)/SHA256SUMS")
        try LocalFileSystem().createDirectory(tool("lib"))
        try tool.write("lib/a.so", "code")
        // sha256 of "code".
        let sum = "5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b"
        try tool.write("SHA256SUMS", "\(sum)  lib/a.so\n")
        #expect(
            EngineFiles.state(of: folder).description == "ok, 1 libraries in \(folder) as fetched")
        // One that is not there, and one with a flipped bit.
        try tool.write("SHA256SUMS", "\(sum)  lib/a.so\n\(sum)  lib/b.so\n")
        try tool.write("lib/a.so", "codd")
        let state = EngineFiles.state(of: folder)
        #expect(state.isDamaged)
        #expect(
            state.description
                == "lib/a.so, lib/b.so in \(folder): not as fetched (remove \(folder)/complete and run "
                + "make again)")
        try tool.write("SHA256SUMS", "")
        #expect(
            EngineFiles.state(of: folder).description == "unknown: \(folder)/SHA256SUMS is empty")
    }
}
