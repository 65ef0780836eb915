// swift-tools-version: 6.1
import PackageDescription

// A package of its own, as a user of the library would write one: what is measured is what a
// dependent package gets.
let package = Package(
    name: "limbeck-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "limbeck", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        .executableTarget(
            name: "limbeck-step",
            dependencies: [
                .product(name: "Limbeck", package: "limbeck"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ])
    ]
)
