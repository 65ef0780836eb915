// swift-tools-version: 6.1
import PackageDescription

// A package of its own that depends on Limbeck by path, as any other program would. It is not part of
// `make test`, because it compiles everything a second time; `acceptance/methods` builds and runs it.
let package = Package(
    name: "consumer",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "limbeck", path: "../..")],
    targets: [
        .executableTarget(
            name: "Consumer", dependencies: [.product(name: "Limbeck", package: "limbeck")])
    ])
