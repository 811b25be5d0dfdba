package rfb

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestObscurePassword has files that vncpasswd wrote; "password" is known from
// many descriptions of the format.
func TestObscurePassword(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]string{
		"password":   "dbd83cfd727a1458",
		"password12": "dbd83cfd727a1458",
	} {
		b, err := ObscurePassword([]byte(password))
		require.NoError(t, err)
		require.Equal(t, want, hex.EncodeToString(b))
	}
	_, err := ObscurePassword(nil)
	require.ErrorIs(t, err, errNoPassword)
}

func TestParsePasswordFile(t *testing.T) {
	t.Parallel()
	a, err := ObscurePassword([]byte("password"))
	require.NoError(t, err)
	b, err := ObscurePassword([]byte("see"))
	require.NoError(t, err)
	none := make([]byte, 8)
	fileCipher().Encrypt(none, none)
	two := append(a[:8:8], b...)

	full, view, err := ParsePasswordFile(a)
	require.NoError(t, err)
	require.Equal(t, "password", string(full))
	require.Nil(t, view)
	for _, more := range []string{"", "\n", "anything"} {
		full, view, err = ParsePasswordFile(append(two[:16:16], more...))
		require.NoError(t, err)
		require.Equal(t, "password", string(full))
		require.Equal(t, "see", string(view))
	}
	for want, file := range map[string][]byte{
		"password file is empty":                               nil,
		"password file: 7 bytes, want 8":                       a[:7],
		"password file: view-only password: 1 bytes, want 8":   two[:9],
		"password file: view-only password: 7 bytes, want 8":   two[:15],
		"password file: password is empty":                     none,
		"password file: view-only password: password is empty": append(a[:8:8], none...),
	} {
		_, _, err := ParsePasswordFile(file)
		require.EqualError(t, err, want)
	}
}

// TestResponse is the DES known answer: the key 0x0123456789abcdef, the bits
// of its bytes reversed, and "Now is t" (FIPS 81, table B1).
func TestResponse(t *testing.T) {
	t.Parallel()
	key, err := hex.DecodeString("80c4a2e691d5b3f7")
	require.NoError(t, err)
	var challenge [challengeSize]byte
	copy(challenge[:], "Now is the time ")
	r := Response(key, challenge)
	require.Equal(t, "3fa40e8a984d48156a271787ab8883f9", hex.EncodeToString(r[:]))
}

func FuzzParsePasswordFile(f *testing.F) {
	f.Add([]byte{0xdb, 0xd8, 0x3c, 0xfd, 0x72, 0x7a, 0x14, 0x58})
	f.Fuzz(func(t *testing.T, b []byte) {
		full, view, err := ParsePasswordFile(b)
		if err != nil {
			require.Nil(t, full)
			return
		}
		require.NotEmpty(t, full)
		if len(b) > passwordSize {
			require.NotEmpty(t, view)
		}
	})
}
